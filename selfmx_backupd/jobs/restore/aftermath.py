"""What is true after an interrupted or failed restore, in words; and the application with it."""

from collections.abc import Iterator
from dataclasses import dataclass

from selfmx_backupd.errors import ApplicationFailed
from selfmx_backupd.jobs.restore import application
from selfmx_backupd.jobs.world import World
from selfmx_backupd.policy.repair import Serving
from selfmx_backupd.restoration import Kind, RestorePlan, Step

# From here on something in service may have been touched.
HARMED = frozenset({Step.SWAPPING, Step.OVERWRITING, Step.RETURNING, Step.STARTING})

UNTOUCHED = "was not touched"
STARTED = "has been started again"


@dataclass(frozen=True, slots=True)
class Healed:
    """What was put right, and what was not.

    Attributes:
        lines: What was found and done, in words.
        serving: Which database has the name that is in service.
        application: What became of the application: "has been started again".
        is_settled: The plan has ended: what is in service is known, or there never was any.
        attention: What a person must look at.
    """

    lines: tuple[str, ...]
    serving: Serving
    application: str
    is_settled: bool
    attention: tuple[str, ...] = ()

    @property
    def told(self) -> tuple[str, ...]:
        """All of it, as the notes on a failure."""
        return (*self.lines, f"the application {self.application}", *self.attention)


def restart_application(world: World, plan: RestorePlan, serving: Serving) -> str:
    """Start what we stopped; but not where it would find no database, and make an empty one."""
    if plan.app_stopped and serving is Serving.NONE:
        return f"stays stopped, because there is no {plan.database} for it"
    return _start_again(world, plan)


def is_well(became: str) -> bool:
    """Whether the application is as it was before the restore."""
    return became in (UNTOUCHED, STARTED)


def _start_again(world: World, plan: RestorePlan) -> str:
    if not plan.app_stopped:
        return UNTOUCHED
    try:
        application.start(world.settings.application)
    except ApplicationFailed as error:
        return f"does not start: {error.message}"
    return STARTED


def what_stands(world: World, plan: RestorePlan) -> Iterator[str]:
    """Where everything is, as far as the plan tells, while the server does not answer."""
    # With the safety backup taken, the next thing is to have the database alone.
    may_be_single_user = plan.step is Step.SAVING and plan.safety is not None
    if plan.step in HARMED or may_be_single_user:
        yield _where_it_is(plan)
        if plan.app_stopped:
            # Without its database it would make an empty one; a single-user one it would take.
            yield "the application stays stopped"
    else:
        yield f"{plan.database} has not been touched"
        yield f"the application {_start_again(world, plan)}"
        if plan.kind in (Kind.BESIDE, Kind.COPY):
            yield f"the unfinished copy {plan.incoming} may be left"
    yield "once SQL Server answers, put it right with: selfmx-restore --undo"


def _where_it_is(plan: RestorePlan) -> str:
    if plan.kind is not Kind.IN_PLACE:
        return f"{plan.database} may be called {plan.aside} now"
    if plan.step is Step.SAVING:
        return f"{plan.database} is what it was before, and may be single-user"
    return f"what {plan.database} held before is in {plan.safety or 'no backup'}"


def kept_lines(plan: RestorePlan) -> Iterator[str]:
    """What is kept, and the way back."""
    if plan.safety is not None:
        yield f"the safety backup {plan.safety} holds what was there before"
        if plan.step is Step.DONE:
            yield f"to go back, type: selfmx-restore --in-place {plan.safety}"
        return
    yield from (f"{each.name} is kept" for each in plan.kept)
    if plan.step is Step.DONE and plan.kind is Kind.BESIDE and plan.way_back is not None:
        yield "to go back, type: selfmx-restore --undo"
