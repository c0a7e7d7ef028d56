/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lkp25p3: what is written to /proc/lkp25p3, as text.
 *
 *	0				dump the VMAs of process 1
 *	[pid N] ADDRESS			translate an address
 *	[pid N] range START END		translate all pages from START to END
 *
 * Addresses are hexadecimal, 0x or not; "0" alone is the command.
 */
#ifndef _LKP25P3_COMMAND_H
#define _LKP25P3_COMMAND_H

#include <linux/errno.h>
#include <linux/kstrtox.h>
#include <linux/string.h>

enum lkp25p3_verb {
	LKP25P3_DUMP,
	LKP25P3_ADDRESS,
	LKP25P3_RANGE,
};

/**
 * struct lkp25p3_command - a line that was understood
 * @verb: what to do
 * @pid: whose addresses; 0: the writer's
 * @start: address
 * @end: address after a range
 */
struct lkp25p3_command {
	enum lkp25p3_verb verb;
	int pid;
	unsigned long start;
	unsigned long end;
};

/* The next word of *@text, which is made a string of its own; NULL if none. */
static inline char *lkp25p3_word(char **text)
{
	char *word;

	*text = skip_spaces(*text);
	if (!**text)
		return NULL;
	word = *text;
	*text += strcspn(*text, " \t\n");
	if (**text)
		*(*text)++ = 0;
	return word;
}

static inline bool lkp25p3_address(const char *word, unsigned long *addr)
{
	/* kstrtoul() would take a plus sign. */
	return word && *word != '+' && !kstrtoul(word, 16, addr);
}

/**
 * lkp25p3_parse() - understand a line
 * @text: the line, which is changed
 * @cmd: what it says
 *
 * Return: 0, or -EINVAL.
 */
static inline int lkp25p3_parse(char *text, struct lkp25p3_command *cmd)
{
	char *word = lkp25p3_word(&text);
	bool good;

	*cmd = (struct lkp25p3_command){ .verb = LKP25P3_ADDRESS };
	if (word && !strcmp(word, "0")) {
		cmd->verb = LKP25P3_DUMP;
		return lkp25p3_word(&text) ? -EINVAL : 0;
	}
	if (word && !strcmp(word, "pid")) {
		word = lkp25p3_word(&text);
		if (!word || *word == '+' || kstrtoint(word, 10, &cmd->pid) ||
		    cmd->pid <= 0)
			return -EINVAL;
		word = lkp25p3_word(&text);
	}
	if (word && !strcmp(word, "range")) {
		cmd->verb = LKP25P3_RANGE;
		good = lkp25p3_address(lkp25p3_word(&text), &cmd->start);
		good &= lkp25p3_address(lkp25p3_word(&text), &cmd->end);
		good &= cmd->start < cmd->end;
	} else {
		good = lkp25p3_address(word, &cmd->start);
	}
	return good && !lkp25p3_word(&text) ? 0 : -EINVAL;
}

#endif /* _LKP25P3_COMMAND_H */
