--- `ampersand login`: asks for a key, tries it, and writes it into the profile.

local config = require "ampersand.cli.config"

local function run(ctx)
  local args = ctx.args
  args.key, ctx.creates_profile = args.key or "-", true
  local values, profile = ctx:settings(), config.profile(args.profile)
  local projects = ctx:call("projects", "list", { timeout = args.timeout })
  -- A project is kept unasked only where there is no choice.
  local project = not values.project and #projects == 1 and projects[1].name
  if type(project) ~= "string" then project = nil end
  config.set(profile, "key", values.api_key)
  for _, name in ipairs { "url", "region", "project", "integration", "org" } do
    if args[name] then config.set(profile, name, args[name]) end
  end
  if project then config.set(profile, "project", project) end
  ctx:note(("the server takes the key; it is in profile %s of %s%s"):format(profile, config.path(),
    project and ", with project " .. project or ""))
  for _, name in ipairs { "AMP_API_KEY", "AMPERSAND_API_KEY" } do
    if os.getenv(name) then ctx:note(name .. " is set and goes before it, except with --profile " .. profile) end
  end
end

return {
  usage = "",
  run = run,
  epilog = [[
The key is read without echo, or from standard input. It is kept only if the
server takes it; --project, --integration, --org and --url are kept with it.
The file is readable for its owner alone: ampersand config path.

Examples:
  ampersand login
  ampersand login --profile prod --project my-project <key-file]],
}
