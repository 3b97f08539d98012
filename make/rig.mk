# make rig: real kernel devices in a virtual kiosk. Needs root, Debian's packages and a Python 3.11; see docs/rig.md.

.PHONY: rig rig-image

rig: $(STAMP) ## the device tests in a virtual kiosk (QEMU); some minutes, writes docs/rig.md
	$(BIN)/python -m tests.rig --write docs/rig.md

rig-image: $(STAMP) ## build the virtual kiosk's image, if anything in it has changed
	$(BIN)/python -m tests.rig --build
