rockspec_format = "3.0"
package = "ampersand"
version = "scm-1"
source = {
  url = "git+https://github.com/ampersand-lua/ampersand.git",
  branch = "main",
}
description = {
  summary = "A fast, safe client for the Ampersand API: list installations as native Lua tables",
  detailed = [[
    Speaks the whole Ampersand API (withampersand.com). A C core does HTTP (libcurl) and JSON and hands installations
    to Lua while the body is still arriving; filters and projections run in C before tables exist.
  ]],
  license = "MIT",
  labels = { "api", "http", "json" },
}
dependencies = { "lua >= 5.1, < 5.6" }
external_dependencies = {
  CURL = { library = "curl" },
  CRYPTO = { library = "crypto" },
}
test_dependencies = { "busted", "lua-cjson" }
test = { type = "command", command = "make specs" }
build = {
  type = "builtin",
  modules = {
@MODULES@
  },
  install = { bin = { ampersand = "bin/ampersand" } },
}
