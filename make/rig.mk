# make rig: real kernel devices in a virtual kiosk. Needs root, Debian's packages and a Python 3.11; see docs/rig.md.

.PHONY: rig rig-image

rig: $(STAMP) ## the device tests in a virtual kiosk (QEMU), then arm64; some minutes, writes docs/rig.md
	$(BIN)/python -m tests.rig --write docs/rig.md; pc=$$?; \
	$(BIN)/python -m tests.rig.arm64 --write docs/rig.md && exit $$pc

rig-image: $(STAMP) ## build the virtual kiosks' images, if anything in them has changed
	$(BIN)/python -m tests.rig --build
	$(BIN)/python -m tests.rig.arm64 --build
