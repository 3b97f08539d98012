/* gpio_record LINE...: the real values of gpio-sim's lines as a time series, on standard output.
 * One line a change: CLOCK_MONOTONIC in milliseconds, then the value of each LINE. Polls every half millisecond. */
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	int count = argc - 1, fds[64];
	char path[256], now[65] = "", before[65] = "";

	if (count < 1 || count > 64)
		return 2;
	for (int i = 0; i < count; i++) {
		glob_t found;
		snprintf(path, sizeof path, "/sys/devices/platform/gpio-sim.*/gpiochip*/sim_gpio%s/value", argv[i + 1]);
		if (glob(path, 0, NULL, &found) || (fds[i] = open(found.gl_pathv[0], O_RDONLY)) < 0) {
			perror(path);
			return 1;
		}
		globfree(&found);
	}
	for (;;) {
		for (int i = 0; i < count; i++)
			if (pread(fds[i], now + i, 1, 0) != 1)
				return 0; /* the chip has gone */
		if (memcmp(now, before, count)) {
			struct timespec t;
			clock_gettime(CLOCK_MONOTONIC, &t);
			printf("%.3f %s\n", t.tv_sec * 1e3 + t.tv_nsec / 1e6, now);
			fflush(stdout);
			memcpy(before, now, sizeof now);
		}
		nanosleep(&(struct timespec){ .tv_nsec = 500000 }, NULL);
	}
}
