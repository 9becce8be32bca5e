/* SPDX-License-Identifier: GPL-2.0-only */
/* The parts of the guest's program. */
#ifndef OUTSIDE_GUEST_H
#define OUTSIDE_GUEST_H

/* Name of the map through which the host lets the guest go on: its first byte is set. */
#define OUTSIDE_HOLD_MAP "f_hold"

/* Creates and fills a map of every kind; exits when the kernel refuses one that it must know. */
void outside_fill_maps(void);
/* Sleeps until the host has written to the hold map. */
void outside_hold(void);
/* Prints what this kernel says about itself. */
void outside_say(void);

#endif
