// SPDX-License-Identifier: GPL-2.0-only
/*
 * The agent passes stimuli on when it gets to run, which is later than they happen: the program itself freezes the guest,
 * with the stimulus as the reason.
 */
#include <stdlib.h>
#include <sys/mman.h>

#include "guest/frozen_link.h"
#include "guest/mailbox.h"
#include "wire/program.h"

static struct ktstr_mailbox *mailbox; /* of this process, for as long as it lives */

static struct ktstr_error *freeze(const void *frame, size_t length)
{
	size_t ignored;

	return ktstr_freeze(mailbox, KTSTR_FREEZE_SAMPLE, frame, length, NULL, 0, &ignored);
}

void frozen_link_set_up(void)
{
	struct ktstr_error *error = ktstr_mailbox_map(KTSTR_MAILBOX_LOG_OFFSET, &mailbox);

	if (!error && ktstr_freeze_available(mailbox))
		ktstr_wire_on_stimulus(freeze);
	else if (!error)
		munmap(mailbox, KTSTR_MAILBOX_LOG_OFFSET);
	ktstr_error_free(error); /* no guest of ktstr */
}
