# make rig: real kernel devices in a virtual kiosk. Needs root, debootstrap and QEMU: docs/explanation/rig.md.
#
#   RELEASE=bookworm   the guest's release of Debian; RELEASE=trixie is Debian 13 with Python 3.13

RELEASE ?= bookworm
rig = RELEASE=$(RELEASE) $(BIN)/python -m tests.rig

.PHONY: rig rig-image

rig: $(STAMP) ## the device tests in a virtual kiosk (QEMU), then arm64; some minutes, writes docs/explanation/rig.md
	$(rig) --write docs/explanation/rig.md; pc=$$?; \
	$(rig).arm64 --write docs/explanation/rig.md && exit $$pc

rig-image: $(STAMP) ## build the virtual kiosks' images, if anything in them has changed
	$(rig) --build
	$(rig).arm64 --build
