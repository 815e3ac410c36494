--- `ampersand logout`.

local config = require "ampersand.cli.config"

return {
  usage = "",
  epilog = "Example:\n  ampersand logout --profile prod",
  run = function(ctx)
    local name, removed = config.profile(ctx.args.profile), {}
    local profile = config.load()[name] or {}
    for _, setting in ipairs { "key", "bearer" } do
      if profile[setting] then
        config.set(name, setting, nil)
        removed[#removed + 1] = setting
      end
    end
    ctx:note(#removed > 0 and ("removed from profile %s: %s"):format(name, table.concat(removed, ", "))
      or ("profile %s has no key"):format(name))
    for _, variable in ipairs { "AMP_API_KEY", "AMPERSAND_API_KEY", "AMPERSAND_BEARER" } do
      if os.getenv(variable) then ctx:note(variable .. " is still set") end
    end
  end,
}
