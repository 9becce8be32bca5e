# SPDX-License-Identifier: GPL-2.0-only
# What the bats files share: where things are, results of JSON runs, and our own VMs among all others. tests/run sets
# KTSTR_TEST_BUILD (the build directory) and KTSTR_TEST_SOURCE (this repository).

bats_require_minimum_version 1.5.0

KTSTR=$KTSTR_TEST_BUILD/ktstr
SCX=$KTSTR_TEST_BUILD/scx_ktstr

program() { # NAME: a test program of ours
	echo "$KTSTR_TEST_BUILD/tests/$1"
}

result() { # FILE TEST KEY...
	python3 "$KTSTR_TEST_SOURCE/tests/lib/results.py" "$@"
}

# Fails with both texts unless $2 has $1 in it.
contains() { # PART TEXT
	[[ "$2" == *"$1"* ]] && return
	printf 'lacks: %s\nin: %s\n' "$1" "$2"
	return 1
}

lacks() { # PART TEXT
	[[ "$2" != *"$1"* ]] && return
	printf 'has: %s\nin: %s\n' "$1" "$2"
	return 1
}

# The outcome of a test and a part of its cause.
expect_outcome() { # FILE TEST OUTCOME [CAUSE_PART...]
	local file=$1 test=$2 outcome=$3 cause part
	shift 3
	[ "$(result "$file" "$test" outcome)" = "$outcome" ] || {
		echo "$test: $(result "$file" "$test" outcome), expected $outcome"
		result "$file" "$test" reasons
		result "$file" "$test" cause
		result "$file" "$test" crash_message | grep -vx null
		return 1
	}
	cause=$(result "$file" "$test" cause)
	for part in "$@"; do
		contains "$part" "$cause" || return 1
	done
}

# A reason of a test, as "outcome Kind: ...".
expect_reason() { # FILE TEST START
	local reasons
	reasons=$(result "$1" "$2" reasons)
	grep -qF -- "$3" <<<"$reasons" || {
		printf '%s has no reason "%s", but:\n%s\n' "$2" "$3" "$reasons"
		return 1
	}
}

# QEMU processes that were started with the environment variable KTSTR_TEST_MARK=$1.
marked_vms() { # MARK
	local dir
	for dir in /proc/[0-9]*; do
		[[ "$(readlink "$dir/exe" 2>/dev/null)" == *qemu* ]] || continue
		tr '\0' '\n' <"$dir/environ" 2>/dev/null | grep -qxF "KTSTR_TEST_MARK=$1" && echo "${dir#/proc/}"
	done
	true
}

# Polls a command for a minute.
eventually() { # COMMAND...
	local i
	for ((i = 0; i < 600; i++)); do
		"$@" && return
		sleep 0.1
	done
	echo "never happened: $*"
	return 1
}
