--- The commands that are no operations: what each is called, takes and does.

local exit = require "ampersand.cli.exit"
local redact = require "ampersand.util.redact"

local tools = {}

local TOOLS, ORDER = {}, {}

local function tool(name, summary, declare, run)
  TOOLS[name] = { summary = summary, declare = declare, run = run }
  ORDER[#ORDER + 1] = name
end

--- Their names, in the order of --help.
function tools.names()
  return ORDER
end

function tools.summary(name)
  return TOOLS[name].summary
end

--- Adds the arguments and options of a tool.
---@param name string
---@param command table argparse command
---@param shared table what several commands have: formats(command), number(option)
function tools.declare(name, command, shared)
  command:description(TOOLS[name].summary)
  TOOLS[name].declare(command, shared)
end

--- The function (ctx) that runs a tool; nil for other names.
function tools.runner(name)
  return TOOLS[name] and TOOLS[name].run
end

-- Requests --------------------------------------------------------------------------------------------------------

local function add_request_options(command)
  command:option("--query", "name=value of the query; may be given several times."):argname "<pair>"
    :count "*":default {}
  command:option("-H --header", "'Name: value'; may be given several times."):argname "<header>":count "*":default {}
  command:option("-f --field", "name=text or name:=JSON of the body."):argname "<field>":count "*":default {}
  command:option("--body", "The body as JSON, from a file or `-`, standard input."):argname "<file>"
end

local function pairs_of(texts, pattern, words)
  local found = {}
  for _, text in ipairs(texts) do
    local name, value = text:match(pattern)
    if not name then exit.usage(words:format(text)) end
    found[name] = value
  end
  return found
end

-- Takes the query off a path: "/a?b=c" -> "/a", and b=c into `query`.
local function split_path(path, query)
  local bare, text = path:match "^([^?]*)%??(.*)$"
  for part in text:gmatch "[^&]+" do
    local name, value = part:match "^([^=]+)=?(.*)$"
    if name then
      query[name] = value:gsub("%+", " "):gsub("%%(%x%x)", function(hex) return string.char(tonumber(hex, 16)) end)
    end
  end
  return bare
end

local function request_of(args)
  local verbs = require "ampersand.cli.verbs"
  local given = {
    query = pairs_of(args.query, "^([^=]+)=(.*)$", "--query %q: expected name=value"),
    headers = pairs_of(args.header, "^([^:%s]+):%s*(.*)$", "--header %q: expected 'Name: value'"),
  }
  if args.body then given.body = verbs.read_body(args.body) end
  if #args.field > 0 then given.body = verbs.add_fields(given.body or {}, args.field) end
  local path = args.path:sub(1, 1) == "/" and args.path or "/" .. args.path
  return args.method:upper(), split_path(path, given.query), given
end

-- `way`: the client's method, "request" or "proxy"
local function send(ctx, way, method, path, given)
  local client = ctx:client()
  local value, err = exit.guard(client[way], client, method, path, given)
  if value == nil then exit.with(exit.code_of(err), tostring(err)) end
  if value == true then return ctx:note "done, without an answer" end
  if ctx.kind == "table" then ctx.kind = "json" end
  if type(value) == "string" then ctx.kind = "table" end
  require("ampersand.cli.show").value(ctx, value)
end

tool("api", "Send any request: ampersand api GET /projects.", function(command, shared)
  command:argument "method":description "GET, POST, PUT, PATCH, DELETE …"
  command:argument "path":description "Below the base URL; ids in it are yours to escape."
  add_request_options(command)
  command:option("--server", "Another of the vendor's servers."):choices { "read", "write", "search" }
  shared.formats(command)
  command:epilog [[
Examples:
  ampersand api GET /projects
  ampersand api GET '/projects/my-project/connections?provider=hubspot' --yaml
  ampersand api POST /projects/my-project/topics -f name=changes]]
end, function(ctx)
  local method, path, given = request_of(ctx.args)
  given.server = ctx.args.server
  if not (ctx:settings().api_key or ctx:settings().bearer) then ctx:require_credentials { auth = "any" } end
  send(ctx, "request", method, path, given)
end)

tool("proxy", "Send a request through to the provider, with the customer's credentials.", function(command, shared)
  command:argument "method":description "GET, POST, PUT, PATCH, DELETE …"
  command:argument "path":description "As the provider's API has it."
  command:option("--installation", "Whose credentials: an installation, by id."):argname "<id>"
  command:option("--group-ref", "Or a group of --integration, by its reference."):argname "<ref>":target "group_ref"
  add_request_options(command)
  command:flag("--throttle", "Let requests be held back while the provider limits their rate.")
  shared.formats(command)
  command:epilog [[
The project's id is looked up when its name is given.

Example:
  ampersand proxy GET /crm/v3/objects --installation <id>]]
end, function(ctx)
  local method, path, given = request_of(ctx.args)
  ctx:require_setting "project"
  ctx:require_credentials { auth = "key" }
  local args = ctx.args
  if not args.installation and not args.group_ref then
    exit.usage "proxy needs --installation ID, or --integration NAME with --group-ref REF"
  end
  if not args.installation then ctx:require_setting "integration" end
  given.installation, given.group, given.throttle = args.installation, args.group_ref, args.throttle
  send(ctx, "proxy", method, path, given)
end)

-- Webhooks --------------------------------------------------------------------------------------------------------

local function read_all(name)
  local file, why
  if name == "-" then file = io.stdin else file, why = io.open(name, "rb") end
  local text = file and file:read "*a"
  if file and name ~= "-" then file:close() end
  return text or exit.usage(("cannot read %s: %s"):format(name, why or "no text"))
end

local function webhook_secret(ctx)
  local file = ctx.args.secret_file
  if file then return (read_all(file):gsub("%s+$", "")) end
  local secret = os.getenv "AMPERSAND_WEBHOOK_SECRET"
  if secret and secret ~= "" then return secret end
  exit.with(exit.AUTH, "no webhook secret: set AMPERSAND_WEBHOOK_SECRET, or name a file by --secret-file")
end

tool("webhook", "Check a webhook's signature: ampersand webhook verify.", function(command, shared)
  local verify = command:command_target "verb":command "verify"
  command:epilog "Example:\n  ampersand webhook verify --help"
  verify:summary "Is this message from the vendor? Prints it when it is, ends with 1 when not.":help_max_width(80)
  verify:argument "file":description "The raw body; `-` or nothing: standard input.":args "?"
  verify:option("-H --header", "'Name: value' of the request; give the three svix-* ones."):argname "<header>"
    :count "*":default {}
  verify:option("--secret-file", "File with the secret; else AMPERSAND_WEBHOOK_SECRET."):argname "<file>"
    :target "secret_file"
  verify:option("--tolerance", "Seconds a message may be old (300)."):argname "<seconds>"
    :convert(shared.number "--tolerance")
  shared.formats(verify)
  verify:epilog [[
Example:
  ampersand webhook verify body.json -H "svix-id: $ID" \
    -H "svix-timestamp: $AT" -H "svix-signature: $SIGNATURE"]]
end, function(ctx)
  local webhook = require "ampersand.webhook"
  local headers = pairs_of(ctx.args.header, "^([^:%s]+):%s*(.*)$", "--header %q: expected 'Name: value'")
  local body = read_all(ctx.args.file or "-")
  local given = { tolerance = ctx.args.tolerance }
  local message, err = exit.guard(webhook.verify, webhook_secret(ctx), headers, body, given)
  if not message then exit.with(err.kind == "config" and exit.AUTH or exit.FAILURE, err.message) end
  ctx:note(("signed by the vendor; id %s"):format(err.id))
  if ctx.kind == "table" then ctx.kind = "json" end
  require("ampersand.cli.show").value(ctx, message)
end)

-- Configuration ---------------------------------------------------------------------------------------------------

local config_actions = {}

local function profile_name(ctx)
  return ctx.args.profile or os.getenv "AMPERSAND_PROFILE" or "default"
end

local function config_module()
  return require "ampersand.cli.config"
end

local function given_value(ctx, setting)
  local value = ctx.args.value
  if setting.secret then
    if value and value ~= "-" then
      ctx:warn("a secret on the command line can be read by other users of this machine; use - instead")
      return value
    end
    return require("ampersand.cli.terminal").read_secret(setting.name .. ": ") or exit.usage "nothing was given"
  end
  return value or exit.usage(("config set %s: the value is missing"):format(setting.name))
end

local function config_value(ctx, setting)
  local value = given_value(ctx, setting)
  if value:find "%S" then return value end
  exit.usage(("config set %s: the value is empty; to remove it: ampersand config unset %s"):format(setting.name,
    setting.name))
end

function config_actions.set(ctx)
  local config = config_module()
  local setting, why = config.setting(ctx.args.name)
  if not setting then exit.usage(why) end
  local value = config_value(ctx, setting)
  local url_problem = setting.name == "url" and config.check_url(config.base_url(value))
  if url_problem then exit.usage(url_problem) end
  local ok
  ok, why = config.set(profile_name(ctx), setting.name, value)
  if not ok then exit.with(exit.FAILURE, why) end
  ctx:note(("%s of profile %s is set in %s"):format(setting.name, profile_name(ctx), config.path()))
end

function config_actions.unset(ctx)
  local config = config_module()
  local setting, why = config.setting(ctx.args.name)
  if not setting then exit.usage(why) end
  local ok
  ok, why = config.set(profile_name(ctx), setting.name, nil)
  if not ok then exit.with(exit.FAILURE, why) end
  ctx:note(("%s of profile %s is unset"):format(setting.name, profile_name(ctx)))
end

function config_actions.show(ctx)
  local config, output = config_module(), require "ampersand.cli.output"
  local values = ctx:settings()
  for _, setting in ipairs(config.SETTINGS) do
    local value, source = values[setting.option], ctx.sources[setting.name]
    if value and not ctx.args.show_secrets then
      value = setting.secret and "[redacted]" or setting.name == "url" and redact.url(value) or value
    end
    local line = value and ("%-12s %s  (%s)"):format(setting.name, value, source) or ("%-12s -"):format(setting.name)
    output.write(line .. "\n")
  end
end

function config_actions.profiles()
  local profiles, order = config_module().load()
  if not profiles then exit.usage(order) end
  for _, name in ipairs(order) do require("ampersand.cli.output").write(name .. "\n") end
end

function config_actions.path()
  local path = config_module().path() or exit.usage "neither XDG_CONFIG_HOME nor HOME is set"
  require("ampersand.cli.output").write(path .. "\n")
end

tool("config", "Keys, projects and URLs: what holds, and where it comes from.", function(command)
  command:command_target "verb"
  local set = command:command "set":summary "Set one: key, bearer, url, project, integration, org."
  set:argument "name":description "key, bearer, url, project, integration or org"
  set:argument "value":description "`-`, or nothing, asks for a key without echo.":args "?"
  set:epilog "Example:\n  ampersand config set project my-project --profile prod"
  local unset = command:command "unset":summary "Remove one.":epilog "Example:\n  ampersand config unset project"
  unset:argument "name"
  local others = {
    show = "What holds now, and where each comes from.", profiles = "The names of the profiles.",
    path = "Where the file is.",
  }
  for _, name in ipairs { "show", "profiles", "path" } do
    command:command(name):summary(others[name]):epilog("Example:\n  ampersand config " .. name)
  end
  command:epilog [[
Flags go first, then the environment, then the profile (--profile, AMPERSAND_PROFILE, else "default"):
  key          --key -        AMP_API_KEY, AMPERSAND_API_KEY
  bearer       --bearer -     AMPERSAND_BEARER
  url          --url          AMP_API_URL, AMPERSAND_API_URL
  project      --project      AMPERSAND_PROJECT_ID
  integration  --integration  AMPERSAND_INTEGRATION_ID
  org          --org          AMPERSAND_ORG_ID
The file is $XDG_CONFIG_HOME/ampersand/config (else ~/.config/ampersand/config),
readable for its owner alone; a file that others can read is refused.

Example:
  ampersand config set key -]]
end, function(ctx) config_actions[ctx.args.verb](ctx) end)

-- The rest --------------------------------------------------------------------------------------------------------

tool("doctor", "Check key, network, certificates, clock and versions; say what to fix.", function(command)
  command:epilog "Example:\n  ampersand doctor --profile prod"
end, function(ctx) require("ampersand.cli.doctor").run(ctx) end)

tool("mock", "A mock server for the API on this machine, for tests and demos.", function(command)
  for _, option in ipairs(require("ampersand.mock").options) do
    local name, default, text = option[1], option[2], option[3]
    local description = text:sub(1, 1):upper() .. text:sub(2) .. "."
    if default == false then
      command:flag("--" .. name, description)
    else
      command:option("--" .. name, description):argname(type(default) == "number" and "<n>" or "<text>"):count "*"
    end
  end
  command:epilog [[
Its options are explained in full by: ampersand mock --help

Example:
  ampersand mock --installations 1000 --fault slow]]
end)

tool("completion", "Print a completion script for bash, zsh or fish.", function(command)
  command:argument "shell":choices { "bash", "zsh", "fish" }
  command:epilog [[
Examples:
  eval "$(ampersand completion bash)"                     in ~/.bashrc
  ampersand completion zsh > ~/.zfunc/_ampersand          a directory of your fpath
  ampersand completion fish > ~/.config/fish/completions/ampersand.fish]]
end, function(ctx)
  require("ampersand.cli.output").write(require("ampersand.cli.manual").completion(ctx.args.shell))
end)

tool("man", "Print the manual page.", function(command)
  command:epilog "Example:\n  ampersand man > ~/.local/share/man/man1/ampersand.1"
end, function()
  require("ampersand.cli.output").write(require("ampersand.cli.manual").page())
end)

return tools
