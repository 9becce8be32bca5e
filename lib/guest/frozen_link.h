/* SPDX-License-Identifier: GPL-2.0-only */
/* Moments at which a deterministic guest stands still for its host to look at it: the stimuli of its test. */
#ifndef KTSTR_GUEST_FROZEN_LINK_H
#define KTSTR_GUEST_FROZEN_LINK_H

/* Makes stimuli of this process freeze the guest, where guests can; does nothing elsewhere. */
void frozen_link_set_up(void);

#endif
