// SPDX-License-Identifier: GPL-2.0-only
/* Pipes that freeze a guest; see freezer.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "vm/freezer.h"

struct ktstr_freezer {
	int bell; /* our end */
	int gates[KTSTR_FREEZE_PORTS][2]; /* read and write ends */
	unsigned int next; /* the gate before which the guest stands, or will */
};

/*
 * A pipe of one page is full when it holds a page of bytes written at once. After one byte of the guest it is not: the
 * next would be put beside it.
 */
enum { GATE_BYTES = 4096 };

static void empty(int gate)
{
	char drained[GATE_BYTES];

	while (read(gate, drained, sizeof(drained)) > 0)
		;
}

static bool fill(int gate)
{
	static const char page[GATE_BYTES];

	return write(gate, page, sizeof(page)) == sizeof(page);
}

static struct ktstr_error *close_gate(int gate[2])
{
	if (pipe2(gate, O_CLOEXEC | O_NONBLOCK))
		return ktstr_error_sys(errno, "cannot create a pipe");
	if (fcntl(gate[1], F_SETPIPE_SZ, GATE_BYTES) != GATE_BYTES || !fill(gate[1]))
		return ktstr_error_sys(errno, "cannot make a pipe of one page");
	return NULL;
}

struct ktstr_error *ktstr_freezer_create(struct ktstr_freezer **out, int *qemu_bell)
{
	struct ktstr_freezer *freezer = *out = ktstr_xcalloc(1, sizeof(*freezer));
	int bell[2];

	freezer->bell = -1;
	memset(freezer->gates, -1, sizeof(freezer->gates));
	if (pipe2(bell, O_CLOEXEC | O_NONBLOCK))
		return ktstr_error_sys(errno, "cannot create a pipe");
	freezer->bell = bell[0];
	*qemu_bell = bell[1];
	for (unsigned int i = 0; i < KTSTR_FREEZE_PORTS; i++)
		KTSTR_TRY(close_gate(freezer->gates[i]));
	return NULL;
}

void ktstr_freezer_destroy(struct ktstr_freezer *freezer)
{
	if (!freezer)
		return;
	for (unsigned int i = 0; i < KTSTR_FREEZE_PORTS; i++)
		for (int end = 0; end < 2; end++)
			if (freezer->gates[i][end] >= 0)
				close(freezer->gates[i][end]);
	if (freezer->bell >= 0)
		close(freezer->bell);
	free(freezer);
}

int ktstr_freezer_gate(const struct ktstr_freezer *freezer, unsigned int port)
{
	return freezer->gates[port][1];
}

int ktstr_freezer_fd(const struct ktstr_freezer *freezer)
{
	return freezer->bell;
}

bool ktstr_freezer_is_frozen(const struct ktstr_freezer *freezer, uint8_t *reason)
{
	return read(freezer->bell, reason, 1) == 1;
}

void ktstr_freezer_release(struct ktstr_freezer *freezer)
{
	unsigned int open = freezer->next, other = (open + 1) % KTSTR_FREEZE_PORTS;

	/* The byte of the freeze before this one has passed. */
	empty(freezer->gates[other][0]);
	fill(freezer->gates[other][1]);
	freezer->next = other;
	empty(freezer->gates[open][0]);
}
