/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Templates: a VM booted once per key, saved when its agent is ready, from which every test restores a private copy;
 * and, on top of it, the same with the scheduler attached, and with the test program loaded.
 */
#ifndef KTSTR_VM_TEMPLATE_H
#define KTSTR_VM_TEMPLATE_H

#include "vm/template_store.h"
#include "vm/vm.h"

struct ktstr_template {
	struct ktstr_template_hold hold;
	char *ram_path, *state_path, *frames_path;
	bool built_now;
};

void ktstr_template_deinit(struct ktstr_template *template);

/* Told when a template is not there and is going to be made, which takes seconds. */
struct ktstr_template_watch {
	void (*building)(void *context); /* NULL = nobody wants to know */
	void *context;
};

/*
 * The booted template of this machine, made when it is not there. config->settle_ms counts in the key as everything
 * else that the guest could tell: QEMU, accelerator, machine and CPU options, kernel image, command line, agent.
 */
struct ktstr_error *ktstr_template_booted(const struct ktstr_vm_config *config, struct ktstr_template_watch watch,
					  struct ktstr_template *template) KTSTR_CHECKED;

/* A template on top of another one: the parent's machine after a job that holds. */
struct ktstr_template_step {
	const struct ktstr_template *parent;
	const struct ktstr_vm_job *job; /* its archive counts in the key */
	uint64_t timeout_ns;
	const char *description;
	bool second_time; /* it is not worth making when it is wanted for the first time */
	struct ktstr_template_watch watch;
};

/*
 * *template stays empty (no ram_path) when it is not worth making yet. When the guest does not come so far
 * (KTSTR_ERR_GUEST, KTSTR_ERR_TIMEOUT) *failed is the VM in which it did not, with all its frames still to be read, for a
 * report; there is no template then. NULL otherwise.
 */
struct ktstr_error *ktstr_template_after(const struct ktstr_vm_config *config, const struct ktstr_template_step *step,
					 struct ktstr_template *template, struct ktstr_vm **failed) KTSTR_CHECKED;

/* Restores a private clone of it and sets it going on job. */
struct ktstr_error *ktstr_template_clone(const struct ktstr_vm_config *config,
					 const struct ktstr_template *template,
					 const struct ktstr_vm_job *job, struct ktstr_vm **vm) KTSTR_CHECKED;

#endif
