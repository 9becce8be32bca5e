/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Inside of `ktstr doctor`: what the checks (doctor_checks.c) hand to the command that shows them
 * (doctor.c).
 */
#ifndef KTSTR_CLI_DOCTOR_H
#define KTSTR_CLI_DOCTOR_H

#include <stddef.h>

enum doctor_status {
	DOCTOR_OK,
	DOCTOR_WARN,    /* tests run, with less comfort */
	DOCTOR_MISSING, /* tests cannot run */
	DOCTOR_INFO,    /* only some uses need it */
};

enum { DOCTOR_CHECKS_MAX = 16 };

struct doctor_check {
	enum doctor_status status;
	const char *name;
	char *found;         /* heap: what is there */
	const char *meaning; /* what it is for; static */
	char *remedy;        /* heap, NULL = nothing to do */
};

struct doctor_report {
	struct doctor_check checks[DOCTOR_CHECKS_MAX];
	size_t count;
};

/*
 * Fills a zero-initialised report. Changes nothing but ktstr's own cache, which keeps the answer of
 * the KVM probe.
 */
void ktstr_doctor_run(struct doctor_report *report);
void ktstr_doctor_deinit(struct doctor_report *report);

#endif
