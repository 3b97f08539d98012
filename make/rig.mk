# make rig: real kernel devices in a virtual kiosk. Needs root, Debian packages and Python 3.11: docs/explanation/rig.md.

.PHONY: rig rig-image

rig: $(STAMP) ## the device tests in a virtual kiosk (QEMU), then arm64; some minutes, writes docs/explanation/rig.md
	$(BIN)/python -m tests.rig --write docs/explanation/rig.md; pc=$$?; \
	$(BIN)/python -m tests.rig.arm64 --write docs/explanation/rig.md && exit $$pc

rig-image: $(STAMP) ## build the virtual kiosks' images, if anything in them has changed
	$(BIN)/python -m tests.rig --build
	$(BIN)/python -m tests.rig.arm64 --build
