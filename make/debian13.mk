# make test-debian13: the whole suite on Debian 13, whatever this machine has. Needs root and a mirror of Debian.

ARGS ?=

.PHONY: test-debian13

test-debian13: ## run the tests on Debian 13 (Python 3.13), in a root made by debootstrap; ARGS='tests/uplink -k tls'
	scripts/test_debian13 $(ARGS)
