# make powercut N=50: a virtual kiosk loses its power 50 times while it scans. Needs what `make rig` needs.

N ?= 50

.PHONY: powercut

powercut: $(STAMP) ## real power cuts in a virtual kiosk (QEMU), N of them; writes docs/explanation/reliability.md
	$(rig).powercut $(N) --write docs/explanation/reliability.md
