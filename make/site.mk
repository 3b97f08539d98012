# make site: the documentation as a site in site/, built by mkdocs-material. Needs npm for the diagrams; see mkdocs.yml.

MERMAID := 11.17.2
MERMAID_JS := docs/assets/mermaid.min.js

.PHONY: site

$(MERMAID_JS):
	@mkdir -p $(@D)
	@if command -v npm >/dev/null; then \
		folder=$$(mktemp -d) && npm pack --silent --pack-destination $$folder mermaid@$(MERMAID) >/dev/null && \
		tar -xzf $$folder/mermaid-$(MERMAID).tgz -O package/dist/mermaid.min.js > $@.new && mv $@.new $@; \
		rm -rf $$folder; \
	fi
	@[ -e $@ ] || echo 'make site: npm cannot fetch Mermaid; diagrams are shown as their text' >&2

site: $(STAMP) $(MERMAID_JS) ## build the documentation as a site, in site/
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict
