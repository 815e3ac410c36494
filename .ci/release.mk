# What is published.

ARCHIVE = build/ampersand-$(VERSION).tar.gz
PACKED  := ampersand-*.rockspec src include lua spec examples docs bench bin Makefile README.md CHANGELOG.md CONTRIBUTING.md SECURITY.md LICENSE \
	.ci .luacheckrc .clang-format .gitignore
.PHONY: dist rock rockspecs
# Reproducible: the same files give the same bytes. The archive is renamed into place when it is complete.
dist: ## the source archive
	@mkdir -p build
	@rm -rf build/dist.$$$$ && mkdir build/dist.$$$$ && trap 'rm -rf build/dist.$$$$' EXIT && \
	tar --format=ustar --sort=name --owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX --mtime='2024-01-01 00:00Z' \
	    --exclude='*.o' --exclude='*.so' --exclude='*.tmp' --transform='s,^,ampersand-$(VERSION)/,' -cf build/dist.$$$$/tar $(PACKED) && \
	gzip -9n build/dist.$$$$/tar && mv build/dist.$$$$/tar.gz $(ARCHIVE)
	@ls -l $(ARCHIVE)

# A source rock out of that archive: luarocks wants the whole path in the rockspec, which only this machine knows.
LUAROCKS ?= luarocks
ROCKSPEC  = ampersand-$(VERSION)-1.rockspec
rock: dist ## a source rock out of that archive
	sed 's,file://build,file://$(CURDIR)/build,' $(ROCKSPEC) > build/$(ROCKSPEC)
	cd build && $(LUAROCKS) --lua-version $(ABI) pack $(ROCKSPEC)

# The rockspecs' lists, from the files that are there.
rockspecs: ## the rockspecs' lists of files
	$(LUA) .ci/rockspecs.lua
