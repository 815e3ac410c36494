-- What `luarocks test` runs: the specs under the Lua it was started with; arguments are spec files.
local version = rawget(_G, "jit") and "jit" or _VERSION:match "%d%.%d"
local specs = #arg > 0 and (" SPECS='" .. table.concat(arg, " ") .. "'") or ""
local ok = os.execute("make specs LUA_VERSION=" .. version .. specs)
os.exit((ok == true or ok == 0) and 0 or 1)
