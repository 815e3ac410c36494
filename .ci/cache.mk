# The specs compile the same C several times, in new copies of the project, too. A compiler cache, where there is one, spares
# that. A compiler that is not there is not replaced by it; a cache that the user has set is left as it is.

CCACHE := /usr/lib/ccache
ifneq (,$(and $(wildcard $(CCACHE)/cc),$(wildcard $(addsuffix /ccache,$(subst :, ,$(PATH))))))
ifndef CCACHE_DIR
export PATH := $(CCACHE):$(PATH)
export CCACHE_DIR := $(CURDIR)/build/ccache
export CCACHE_MAXSIZE := 200M
export CCACHE_NOHASHDIR := 1
export CCACHE_BASEDIR := $(or $(TMPDIR),/tmp)
export CCACHE_SLOPPINESS := include_file_ctime,include_file_mtime
endif
endif
ifneq (,$(findstring coverage,$(VARIANT)))
export CCACHE_DISABLE := 1 # what is counted stands beside the object
endif
