# SPDX-License-Identifier: GPL-2.0
# The way in; `make help` lists the targets. The work is done by scripts/.

# What is made lies here; set PAGING_BUILD_DIR to have it elsewhere.
build := $(or $(PAGING_BUILD_DIR),build)
variant ?= arm64
# Of the five processes, where it is not all of them.
lru_cases := rand:78,rand:200,zipf:200,shift:200,seq:200,cyclic:110
# What the first run has in memory only.
lru_file_cases := shift/file:200,seq/file:200,cyclic/file:110
# What the budget costs, and where.
lru_budgets := lru,budget-2,budget-4,budget-8,guard,guard-always
lru_budget_cases := rand:200,shift:200,seq:200,cyclic:110
# And with other parameters: pattern:parameter,... With by=309 the hot part leaps, by 0.618 of all pages.
lru_varied := shift:step=250 shift:step=1000 shift:hot=40 shift:by=25 shift:by=309 shift:by=309,step=250 zipf:zipf=80 zipf:zipf=120
# All that pattern.h has and the first run has not: what guard was made with, and what it was not.
lru_seen := scanhot:200,twoloop:110,mix:200,slide:200,zigzag:200,burst:200,phase:200,zdrift:200,stream:200,stack:200,loopflip:110
lru_patterns := gauss:200,tree:200,sweep:200,matrix:200,grow:200,jump:200,threeloop:110,revisit:200,$(lru_seen)

.DEFAULT_GOAL := help
.PHONY: help demo check check-full build shell report report-petmem report-walker report-lru cost kunit tree capture patches clean distclean
# One thing after the other: each of them uses all cores.
.NOTPARALLEL:

help: ## show this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 14

demo: ## from nothing to the plotted experiment on a Raspberry Pi in QEMU; QUICK=1: fewer sizes and runs
	@scripts/deps demo
	@scripts/series am
	@scripts/build arm64
	@scripts/exp/paging/run --machine raspi3b $(if $(QUICK),--quick)

check: ## run the tests (ONLY=pattern: some of them)
	@scripts/deps check
	@scripts/check $(if $(ONLY),--only '$(ONLY)')

check-full: ## run the tests and what takes long: each patch built on its own, plain 6.12.N
	@scripts/deps full
	@scripts/check --full $(if $(ONLY),--only '$(ONLY)')

build: ## build a kernel with the series (variant=arm64; others: scripts/build --list)
	@scripts/deps check
	@scripts/build $(variant)

shell: build ## boot that kernel and give a shell in it
	@scripts/guest --kernel $(build)/$(variant) --shell

report: ## run what the lab report tells of, and write it anew: Documentation/lab-reports/paging.md
	@scripts/deps demo
	@scripts/build arm64 arm64-start arm64-cost
	@scripts/exp/paging/start
	@scripts/exp/paging/run
	@scripts/exp/paging/cost
	@scripts/exp/paging/report

report-petmem: ## the same for petmem: lab-reports/petmem.md
	@scripts/deps demo
	@scripts/build arm64 arm64-cost x86_64
	@scripts/exp/petmem/run
	@scripts/exp/petmem/report --tested arm64 --tested x86_64

report-walker: ## the same for the page-table walker and kernel_memory: lab-reports/walker.md, kernel_memory.md
	@scripts/deps demo
	@scripts/build arm64 x86_64 arm64-cost
	@scripts/exp/kernel_memory/report
	@scripts/exp/walker/run
	@scripts/exp/walker/cost
	@scripts/exp/monitor/run
	@scripts/exp/monitor/accuracy
	@scripts/exp/walker/report

report-lru: ## the same for lru_page_list, which takes hours: lab-reports/lru_page_list.md
	@scripts/deps check
	@scripts/build arm64 x86_64
	@scripts/exp/lru/run --jobs 2
	@scripts/exp/lru/run --jobs 2 --no-bench --cases $(lru_file_cases) --out results/lru-file
	@scripts/exp/lru/run --jobs 2 --cpu cortex-a76 --cases $(lru_cases) --out results/lru-a76
	@scripts/exp/lru/run --jobs 2 --arch x86_64 --cases $(lru_cases) --out results/lru-x86_64
	@scripts/exp/lru/run --jobs 2 --swap disk --no-bench --cases $(lru_cases) --out results/lru-disk
	@scripts/exp/lru/run --jobs 2 --no-bench --cases $(lru_budget_cases) --policies $(lru_budgets) --out results/lru-budget
	@scripts/exp/lru/run --jobs 2 --no-bench --seeds 1 --cases $(lru_patterns) --policies classic,mglru,lru,guard --out results/lru-patterns
	@for words in $(lru_varied); do \
		scripts/exp/lru/run --jobs 2 --no-bench --cases $${words%%:*}:200 --policies classic,mglru,lru,guard --out results/lru-with-$${words#*:} -- $$(echo $${words#*:} | tr , ' ') || exit 1; \
	done
	@scripts/exp/lru/oom --jobs 2
	@scripts/exp/lru/report

cost: ## instructions per page of /dev/paging and of its peers, as a table
	@scripts/deps demo
	@scripts/build arm64-cost arm64
	@scripts/exp/paging/cost

kunit: ## run the KUnit tests under User Mode Linux
	@scripts/deps check
	@scripts/kunit

tree: ## make build/tree, a git work tree with the series as commits, to work in
	@scripts/deps demo
	@scripts/series tree

capture: ## bring the work in build/tree back into the folders, recipes and hooks
	@scripts/deps demo
	@scripts/series capture

patches: ## compose patches/ from the folders, recipes and hooks
	@scripts/deps demo
	@scripts/series compose

clean: ## remove what was built; the kernel's source stays
	rm -rf $(addprefix $(build)/,obj log check bisect arm64* x86_64*)

distclean: ## remove all that was made, the kernel's source too (results/ stay)
	@[ ! -d $(build)/tree ] || scripts/series untree
	rm -rf $(addprefix $(build)/,obj log check bisect arm64* x86_64* src src.tmp tree.* base apt cache .lock .series-lock)
	[ ! -d $(build) ] || rmdir --ignore-fail-on-non-empty $(build)
