# sudo make install, sudo make uninstall: the kiosk on a Debian or Raspberry Pi OS machine.
#
#   DESTDIR=dir       put everything below dir, start and reload nothing (for packages and images)
#   PYTHON=python3    the interpreter of the virtual environment, 3.11 or newer
#   SOURCE=.          what is installed: this checkout, or a wheel built from it
#   PIP_ARGS=…        more arguments for pip, such as --no-index --find-links=/media/wheels without a network
#   LOCKED=yes        install the versions of locks/kiosk.txt, checked by their hashes. LOCKED=no takes whatever
#                     versions pip finds: for wheels that were built elsewhere (piwheels, a folder of your own)
#
# Twice is fine. An agent.toml that is there is never touched; nor is state, by uninstall either.

PYTHON ?= python3
SOURCE ?= .
PIP_ARGS ?=
DESTDIR ?=
LOCKED ?= yes

prefix := /opt/kiosk-agent
venv := $(DESTDIR)$(prefix)
etc := $(DESTDIR)/etc
boot := $(DESTDIR)/boot/firmware
system := $(etc)/systemd/system
# PYPI=1: where lgpio is built (it has no wheel for Python 3.13 and later), its C library is built into it.
pip = PYPI=1 $(venv).new/bin/python -m pip install --quiet --disable-pip-version-check --no-compile $(PIP_ARGS)
gettys := getty@ serial-getty@ console-getty

# One line a file: where it stands here, and where it goes.
drop_ins := \
	firmware-config/70-kiosk-agent.rules:$(etc)/udev/rules.d/70-kiosk-agent.rules \
	firmware-config/sysctl.conf:$(etc)/sysctl.d/70-kiosk-agent.conf \
	firmware-config/logind.conf:$(etc)/systemd/logind.conf.d/70-kiosk-agent.conf \
	firmware-config/watchdog.conf:$(etc)/systemd/system.conf.d/70-kiosk-agent.conf \
	$(foreach getty,$(gettys),firmware-config/getty.conf:$(system)/$(getty).service.d/70-kiosk-agent.conf) \
	systemd/kiosk-agent.sysusers:$(DESTDIR)/usr/lib/sysusers.d/kiosk-agent.conf \
	systemd/kiosk-agent.service:$(system)/kiosk-agent.service

.PHONY: install uninstall

install: ## put the kiosk on this machine (as root)
ifeq ($(LOCKED),yes)
	@command -v cc >/dev/null || { echo 'make install: evdev is compiled: apt-get install gcc python3-dev' >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info >= (3, 13))' || command -v swig >/dev/null || \
		{ echo 'make install: lgpio is compiled on Python 3.13 and later: apt-get install swig' >&2; exit 1; }
endif
	$(PYTHON) -m venv --clear $(venv).new
ifeq ($(LOCKED),yes)
	$(pip) --require-hashes -r locks/build.txt
	$(pip) --require-hashes --no-build-isolation -r locks/kiosk.txt
	$(pip) --no-deps --no-build-isolation '$(SOURCE)'
else
	$(pip) '$(SOURCE)[gpio]'
endif
	$(venv).new/bin/python -m compileall -q -f $(venv).new/lib -s $(venv).new -p $(prefix)
	grep -rlI '$(venv).new' $(venv).new/bin $(venv).new/pyvenv.cfg | xargs -r sed -i 's#$(venv)\.new#$(prefix)#g'
	rm -rf $(venv).old
	if [ -e $(venv) ]; then mv $(venv) $(venv).old; fi
	mv $(venv).new $(venv)
	rm -rf $(venv).old
	install -d $(DESTDIR)/usr/local/bin
	ln -sfn $(prefix)/bin/kiosk-agent $(DESTDIR)/usr/local/bin/kiosk-agent
	set -e; for pair in $(drop_ins); do install -D -m 644 "$${pair%%:*}" "$${pair#*:}"; done
	ln -sfn /dev/null $(system)/ctrl-alt-del.target
	install -d -m 700 $(etc)/credstore
	install -d $(etc)/kiosk-agent
	[ -e $(etc)/kiosk-agent/agent.toml ] || install -m 644 firmware-config/agent.toml $(etc)/kiosk-agent/agent.toml
	if [ -e $(boot)/config.txt ]; then \
		install -m 644 firmware-config/config.txt $(boot)/kiosk-agent.txt; \
		grep -qx 'include kiosk-agent.txt' $(boot)/config.txt \
			|| printf '\n[all]\ninclude kiosk-agent.txt\n' >> $(boot)/config.txt; \
		if [ -e $(boot)/cmdline.txt ]; then sed -i 's/console=serial0,[0-9]* *//' $(boot)/cmdline.txt; fi; \
	fi
ifeq ($(DESTDIR),)
	systemd-sysusers kiosk-agent.conf
	if [ -d /run/systemd/system ]; then \
		systemctl daemon-reload; \
		udevadm control --reload; \
		udevadm trigger --subsystem-match=input --subsystem-match=tty --subsystem-match=gpio --subsystem-match=usb; \
		sysctl --quiet --load=/etc/sysctl.d/70-kiosk-agent.conf; \
		systemctl try-restart kiosk-agent.service; \
	fi
endif
	@echo 'Installed. Next: fill in /etc/kiosk-agent/agent.toml, ask "kiosk-agent check --hardware --broker",'
	@echo 'then: systemctl enable --now kiosk-agent. The console lock-down is complete after a restart of the machine.'

uninstall: ## take it off again; configuration and state stay
ifeq ($(DESTDIR),)
	if [ -d /run/systemd/system ]; then systemctl disable --quiet --now kiosk-agent.service || true; fi
endif
	set -e; for pair in $(drop_ins); do rm -f "$${pair#*:}"; done
	for getty in $(gettys); do \
		if [ -d $(system)/$$getty.service.d ]; then rmdir --ignore-fail-on-non-empty $(system)/$$getty.service.d; fi; done
	if [ "$$(readlink $(system)/ctrl-alt-del.target)" = /dev/null ]; then rm $(system)/ctrl-alt-del.target; fi
	rm -f $(DESTDIR)/usr/local/bin/kiosk-agent
	rm -rf $(venv) $(venv).new $(venv).old
	if [ -e $(boot)/kiosk-agent.txt ]; then \
		rm $(boot)/kiosk-agent.txt; sed -i '/^include kiosk-agent\.txt$$/d' $(boot)/config.txt; fi
ifeq ($(DESTDIR),)
	if [ -d /run/systemd/system ]; then systemctl daemon-reload; udevadm control --reload; fi
endif
	@echo 'Uninstalled. Left as they are: /etc/kiosk-agent, /etc/credstore, /var/lib/kiosk-agent, the account kiosk-agent.'
