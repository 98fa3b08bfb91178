"""What a status says of processes."""

from local.home import Home
from local.processes import Command, Processes
from local.usage import lines, usage


def test_a_living_process_shows_what_it_uses_and_a_dead_one_its_remedy(home: Home) -> None:
    processes = Processes(home)
    for name in ("lives", "dies"):
        processes.start(Command(name=name, argv=["sleep", "1000"], cwd=home.root))
    dying = next(process.handle() for process in processes.all() if process.command.name == "dies")
    assert dying is not None
    dying.kill()
    dying.wait(timeout=10)
    found = usage(processes)
    assert found["dies"] == {"pid": None}
    assert found["lives"]["residentBytes"] > 0
    dead, alive = lines(found, "make up")
    assert dead == "  dies  dead: run make up"
    assert alive.startswith(f"  lives pid {found['lives']['pid']}  ")
