// SPDX-License-Identifier: GPL-2.0-only
/*
 * unprivileged PROGRAM ARGUMENTS...: run it as nobody, without capabilities.
 */
#include "tools.h"

#define NOBODY 65534

int main(int argc, char **argv)
{
	if (argc < 2) {
		fprintf(stderr, "usage: unprivileged PROGRAM ARGUMENTS...\n");
		return 2;
	}
	if (setgid(NOBODY) || setuid(NOBODY))
		fail("becoming nobody");
	execv(argv[1], argv + 1);
	fail("%s", argv[1]);
}
