"""The token buckets."""

from centre.web.throttle import Throttle


class Clock:
    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def test_a_burst_then_one_by_one() -> None:
    clock = Clock()
    throttle = Throttle(burst=3, interval_s=2, monotonic=clock)
    assert [throttle.take("a") for _ in range(4)] == [0, 0, 0, 2]
    assert throttle.take("b") == 0
    clock.seconds = 1.5
    assert throttle.take("a") == throttle.wait_s("a") == 0.5
    clock.seconds = 2
    assert throttle.take("a") == 0
    clock.seconds = 1000
    assert [throttle.take("a") for _ in range(4)] == [0, 0, 0, 2]


def test_forgotten_keys_have_their_whole_allowance() -> None:
    throttle = Throttle(burst=1, interval_s=60, monotonic=Clock())
    assert throttle.take("a") == 0
    throttle.forget("a")
    assert throttle.take("a") == 0


def test_memory_is_bounded_and_keys_in_use_stay() -> None:
    throttle = Throttle(burst=1, interval_s=60, monotonic=Clock(), max_keys=10)
    for number in range(1000):
        throttle.take("mine")
        throttle.take(str(number))
    assert len(throttle) == 10
    assert throttle.take("mine") > 0
