"""Does a failed run need a person, or only time?"""


def needs_a_person(*, mends_itself: bool, failures_in_a_row: int, pauses: int) -> bool:
    """Whether a failure is an error, in the log's sense of the word, or only a warning.

    Args:
        mends_itself: It is of a kind that time may mend, such as a server that is down.
        failures_in_a_row: This one included.
        pauses: How many different pauses there are between retries; 0 where nobody tries
            again. Once each has been waited for in vain, time is not what is wanted.
    """
    return not mends_itself or failures_in_a_row > pauses
