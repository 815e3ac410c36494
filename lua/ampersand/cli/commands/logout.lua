--- `ampersand logout`.

local config = require "ampersand.cli.config"
local exit = require "ampersand.cli.exit"

local logout = {
  summary = "Remove the key and the bearer token of the profile.",
  usage = "",
  epilog = "Example:\n  ampersand logout --profile prod",
}

function logout.declare() end

function logout.run(ctx)
  local profile, removed = config.profile(ctx.args.profile), {}
  local profiles, why = config.load()
  if not profiles then exit.usage(why) end
  for _, name in ipairs { "key", "bearer" } do
    if (profiles[profile] or {})[name] then
      local ok, problem = config.set(profile, name, nil)
      if not ok then exit.with(exit.FAILURE, problem) end
      removed[#removed + 1] = name
    end
  end
  ctx:note(#removed > 0 and ("removed from profile %s: %s"):format(profile, table.concat(removed, ", "))
    or ("profile %s has no key"):format(profile))
  for _, name in ipairs { "AMP_API_KEY", "AMPERSAND_API_KEY", "AMPERSAND_BEARER" } do
    if os.getenv(name) then ctx:note(name .. " is still set") end
  end
end

return logout
