"""python -m deploy.fleet start|status|reload|stop, or manage and one of manage.py's commands"""

import os
import sys
from pathlib import Path

from deploy.fleet import control
from deploy.fleet.files import ROOT, Fleet
from deploy.fleet.processes import Trouble
from deploy.fleet.supervisor import Supervisor


def main(wish: str) -> int:
    fleet = Fleet(
        Path(os.environ.get("FLEET_DIR") or ROOT / "var/fleet"),
        os.environ.get("FLEET_PORT", ""),
        os.environ.get("FLEET_HOSTS", ""),
    )
    try:
        if wish == "supervise":
            Supervisor(fleet).run()
            return 0
        if wish == "manage":
            control.manage(fleet, sys.argv[2:])
        if wish == "start":
            control.start(fleet)
        elif wish == "reload":
            control.reload(fleet)
        elif wish == "stop":
            control.stop(fleet)
            print("Nothing of the fleet is running.")
            return 0
        return 0 if control.print_status(fleet) else 1
    except Trouble as trouble:
        print(trouble, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "status"))
