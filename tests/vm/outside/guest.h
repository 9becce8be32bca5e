/* SPDX-License-Identifier: GPL-2.0-only */
/* The parts of the guest's program. */
#ifndef OUTSIDE_GUEST_H
#define OUTSIDE_GUEST_H

/* Name of the map through which the host lets the guest go on: its first byte is set. */
#define OUTSIDE_HOLD_MAP "f_hold"

/* The result, unless it is an error: that ends the program, with errno and `what`. */
int outside_must(int result, const char *what);
/* Creates and fills a map of every kind; exits when the kernel refuses one that it must know. */
void outside_fill_maps(void);
/* An arena with the allocators of schedulers in it. */
void outside_fill_allocators(void);
/* Cgroups below the workloads' own, some of which have been under pressure. */
void outside_make_cgroups(void);
/* Prints what their files say. */
void outside_say_cgroups(void);
/* Sleeps until the host has written to the hold map. */
void outside_hold(void);
/* Prints what this kernel says about itself. */
void outside_say(void);

#endif
