"""What other threads hand to the scan path: tasks in turn, messages when no scan waits."""

from typing import TYPE_CHECKING

from agent.daemon.task_queue import TaskQueue

if TYPE_CHECKING:
    from agent.daemon.scan_path import ScanPath


def test_tasks_and_messages_come_out_in_order_each_of_their_own_kind() -> None:
    woken: list[None] = []
    queue = TaskQueue(lambda: woken.append(None))
    assert not queue

    def task(path: "ScanPath") -> None: ...
    def other(path: "ScanPath") -> None: ...
    def message(path: "ScanPath") -> None: ...

    queue.post(task)
    queue.tell(message, other)
    queue.post(other)
    assert queue
    assert len(woken) == 3
    assert [queue.next_task() for _ in range(3)] == [task, other, None]
    assert queue, "two messages are left"
    assert [queue.next_message() for _ in range(3)] == [message, other, None]
    assert not queue
