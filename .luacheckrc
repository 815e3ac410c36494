std = "min"
max_line_length = 120
self = false
files["spec"] = { std = "+busted", max_line_length = 150 } -- JSON texts stand in one line
files["lua/ampersand/transport/nginx.lua"] = { globals = { "ngx" } }
files["lua/ampersand/gate.lua"] = { globals = { "ngx" } }
files["examples/openresty/resty_http.lua"] = { std = "luajit", read_globals = { "ngx" } }
files["examples/neovim"] = { std = "luajit", globals = { "vim" } }
files["examples/love"] = { std = "luajit", globals = { "love" } }
files["examples/openresty/dashboard/dashboard.lua"] = { globals = { "ngx" } }
files["examples/openresty/dashboard/page.lua"] = { max_line_length = 180 } -- HTML stands in its lines
files["lua/ampersand/receiver.lua"] = { globals = { "ngx" } }
files["lua/ampersand/client/operations.lua"] = { max_line_length = false }
files["lua/ampersand/client/fields.lua"] = { max_line_length = false }
files["lua/ampersand/types.lua"] = { max_line_length = false }
files["spec/support/facts.lua"] = { max_line_length = false }
exclude_files = { "build" }
