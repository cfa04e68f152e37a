"""Other people's commands, really run."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from selfmx_backupd.adapters import command
from selfmx_backupd.adapters.command import Finished
from selfmx_backupd.errors import ApplicationFailed, ConfigError

PATIENCE_S = 20.0

_RUNS_A_COMMAND = """\
import signal, sys
from selfmx_backupd.adapters import command
signal.signal(signal.SIGINT, lambda *_: None)
done = command.run(["sh", "-c", sys.argv[1]], 20.0)
print(done.exit_code, done.output)
"""


def shell(script: str, timeout_s: float = PATIENCE_S) -> Finished:
    return command.run(["sh", "-c", script], timeout_s)


def until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def is_running(pid: int) -> bool:
    """Whether it still does something: one that nobody has waited for yet is a zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def pid_in(path: Path) -> int:
    until(lambda: path.exists() and path.read_text().endswith("\n"))
    return int(path.read_text())


@pytest.fixture
def left(tmp_path: Path) -> Iterator[Path]:
    """Where a command writes the id of what it leaves behind, which ends with the test."""
    path = tmp_path / "left"
    yield path
    if path.exists():
        pid = pid_in(path)
        if is_running(pid):
            os.kill(pid, signal.SIGKILL)


@pytest.mark.parametrize("code", [0, 1, 125, 255])
def test_a_command_ends_with_its_exit_code(code: int) -> None:
    assert shell(f"exit {code}") == Finished(code, "")


def test_a_command_that_a_signal_ends_has_not_succeeded() -> None:
    assert shell("kill -9 $$").exit_code == -9


def test_what_it_prints_is_one_line_of_both_streams() -> None:
    assert shell("echo one; echo >&2 '  two'; printf 'three\\n\\n'").output == "one two three"


def test_words_reach_the_program_as_they_are() -> None:
    words = ["printf", "%s|", "$HOME; exit 3", "", "*", "a b"]
    assert command.run(words, PATIENCE_S) == Finished(0, "$HOME; exit 3||*|a b|")


def test_it_has_nobody_to_ask() -> None:
    """What is typed at our terminal is for us."""
    done = subprocess.run(
        [sys.executable, "-c", _RUNS_A_COMMAND, "cat; exit 5"],
        input="yes\n",
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("5 \n", "")


def test_of_long_output_the_end_is_kept() -> None:
    output = shell("seq 1 5000").output
    assert output.startswith("… ")
    assert output.endswith(" 4999 5000")
    assert len(output) == 602


@pytest.mark.parametrize("length", [600, 601])
def test_only_what_is_too_long_is_cut(length: int) -> None:
    output = shell(f"head -c {length} /dev/zero | tr '\\0' x").output
    assert output == "x" * 600 if length == 600 else f"… {'x' * 600}"


@pytest.mark.parametrize(
    ("printed", "shown"),
    [
        (r"\033[31mred\033[0m", "?[31mred?[0m"),
        (r"a\000b\007c", "a?b?c"),
        (r"bad \377\376 bytes", r"bad \xff\xfe bytes"),
        (r"Gr\303\266\303\237e", "Größe"),
        (r"over\rwritten\tline", "over written line"),
        (r"turn \342\200\256 round", "turn ? round"),
    ],
)
def test_what_cannot_be_printed_again_is_replaced(printed: str, shown: str) -> None:
    assert command.run(["printf", printed], PATIENCE_S).output == shown


def test_a_command_that_must_succeed_says_its_code_and_what_it_printed() -> None:
    assert command.run_or_fail(["echo", "fine"], PATIENCE_S) == Finished(0, "fine")
    with pytest.raises(ApplicationFailed) as caught:
        command.run_or_fail(["sh", "-c", "echo no such container; exit 7"], PATIENCE_S)
    assert caught.value.message == (
        "sh -c echo no such container; exit 7 ended with exit code 7: no such container"
    )


def test_a_command_that_fails_without_a_word_is_said_to_have_failed() -> None:
    with pytest.raises(ApplicationFailed, match=r"^false ended with exit code 1$"):
        command.run_or_fail(["false"], PATIENCE_S)


def test_a_program_that_is_missing_cannot_be_started() -> None:
    with pytest.raises(ApplicationFailed) as caught:
        command.run(["/nowhere/docker", "stop"], PATIENCE_S)
    assert caught.value.message == (
        "/nowhere/docker stop cannot be started: no such file or directory"
    )


def test_a_file_that_is_no_program_cannot_be_started(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(ApplicationFailed, match="cannot be started: permission denied"):
        command.run([str(tmp_path / "file")], PATIENCE_S)


@pytest.mark.parametrize("words", [(), ("sh", "-c", "x"), ("/bin/sh",)])
def test_a_program_that_is_there_is_no_problem_and_neither_is_none(words: tuple[str, ...]) -> None:
    command.ensure_there("application.stop", words)


def test_a_program_that_is_not_there_is_a_problem_of_its_key() -> None:
    with pytest.raises(ConfigError) as caught:
        command.ensure_there("application.stop", ("dokcer", "stop"))
    assert caught.value.problems == ("application.stop: there is no program 'dokcer' on this host",)
    assert "application.stop to a command that is there, or to []" in str(caught.value.hint)


def test_a_command_that_takes_too_long_ends_with_everything_that_it_began(left: Path) -> None:
    script = f"trap '' TERM HUP INT; sleep 600 & echo $! > {left}; echo waiting; wait"
    began = time.monotonic()
    with pytest.raises(ApplicationFailed) as caught:
        shell(script, 1)
    assert time.monotonic() - began < PATIENCE_S
    assert caught.value.message.endswith(" did not end within 1 s: waiting")
    pid = pid_in(left)
    until(lambda: not is_running(pid))


def test_a_command_that_closed_its_output_is_waited_for_all_the_same() -> None:
    with pytest.raises(ApplicationFailed, match=r"did not end within 1 s$"):
        shell("exec >&- 2>&-; sleep 600", 1)


def test_a_command_that_has_ended_leaves_alone_what_it_began(left: Path) -> None:
    """As a script does that starts an application in the background."""
    assert shell(f"sleep 600 & echo $! > {left}; echo started", 2) == Finished(0, "started")
    assert is_running(pid_in(left))


def test_what_has_left_the_session_does_not_hold_up_its_end(left: Path) -> None:
    began = time.monotonic()
    done = shell(f"setsid sh -c 'echo $$ > {left}; exec sleep 30' & sleep 0.3; echo started", 2)
    assert time.monotonic() - began < 10
    assert done == Finished(0, "started")


def test_no_command_is_waited_for_for_ever(left: Path) -> None:
    began = time.monotonic()
    with pytest.raises(ApplicationFailed, match="did not end within 1 s"):
        shell(f"setsid sh -c 'echo $$ > {left}; exec sleep 30' & sleep 600", 1)
    assert time.monotonic() - began < 10


def test_ctrl_c_at_our_terminal_does_not_reach_it(tmp_path: Path) -> None:
    script = f"touch {tmp_path}/begun; while [ ! -e {tmp_path}/end ]; do sleep 0.05; done"
    process = subprocess.Popen(
        [sys.executable, "-c", _RUNS_A_COMMAND, script],
        stdout=subprocess.PIPE,
        text=True,
        process_group=0,
    )
    until((tmp_path / "begun").exists)
    # What a terminal does: to the whole group in its foreground.
    os.killpg(process.pid, signal.SIGINT)
    time.sleep(0.3)
    assert process.poll() is None
    (tmp_path / "end").touch()
    output, _ = process.communicate(timeout=PATIENCE_S)
    assert (process.returncode, output) == (0, "0 \n")
