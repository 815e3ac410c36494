--- The version, in one place for Lua; include/ampersand.h has the same for C, a spec compares them.
local version = { number = "0.2.0" }

version.user_agent = "ampersand-lua/" .. version.number

return version
