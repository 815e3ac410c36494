--- The verbs that are more than one operation: what each takes, and where it runs.

local exit = require "ampersand.cli.exit"

local extras = {}

-- resource -> verb -> { summary, ids for the usage line, declare(command, shared), run(ctx) }
local VERBS = { installations = {}, operations = {} }
local ORDER = { installations = {}, operations = {} }

local function add(resource, verb, fields)
  VERBS[resource][verb] = fields
  table.insert(ORDER[resource], verb)
end

--- The names of a resource's further verbs, in the order of --help.
---@param resource string
---@return string[]
function extras.names(resource)
  return ORDER[resource] or {}
end

--- One of them, or nil.
function extras.find(resource, verb)
  return VERBS[resource] and VERBS[resource][verb]
end

-- The ids that go before a list: project and integration, where they differ from the settings.
local function check_settings(ctx)
  ctx:require_setting "project"
  if not ctx.args.in_project then ctx:require_setting "integration" end
  ctx:require_credentials { auth = "any" }
end

local function fail(err)
  exit.with(exit.code_of(err), tostring(err))
end

local WHERE_EXAMPLE = "--where connection.provider=hubspot"

add("installations", "watch", {
  summary = "Tell what changes: installed, removed, unhealthy, healthy, bad_credentials, config.",
  declare = function(command, shared)
    shared.which(command)
    command:option("--interval", "Seconds between two looks (60)."):argname "<seconds>"
      :convert(shared.number "--interval")
    command:option("--polls", "End after so many looks."):argname "<n>":convert(shared.count "--polls")
    command:flag("--existing", "Tell those of the first look, too.")
    command:option("--state", "Remember in this file what was seen, and go on from there."):argname "<file>"
    command:flag("--ndjson", "One line of JSON each.")
    command:option("--fail-if", "Exit code 3 as soon as there is any change, or an unhealthy one."):argname "<what>"
      :choices { "any", "unhealthy" }
  end,
  examples = {
    "ampersand installations watch --interval 30", "ampersand installations watch --ndjson --state seen.json",
  },
  run = function(ctx)
    check_settings(ctx)
    require("ampersand.cli.watching").run(ctx)
  end,
})

add("installations", "explain", {
  summary = "Why is an installation not well, and what is to be done?",
  usage = "<installationId> ",
  declare = function(command, shared)
    command:argument "id":description "The installation."
    shared.formats(command)
  end,
  examples = { "ampersand installations explain installation-123" },
  run = function(ctx)
    check_settings(ctx)
    local installations = ctx:client().installations
    local found, err = exit.guard(installations.explain, installations, ctx.args.id)
    if not found then fail(err) end
    if ctx.kind == "table" and #ctx.args.select == 0 then
      return require("ampersand.cli.output").write(tostring(found) .. "\n")
    end
    local value = { id = found.installation.id }
    for name, member in pairs(found) do
      if name ~= "installation" then value[name] = member end
    end
    require("ampersand.cli.show").value(ctx, value)
  end,
})

add("installations", "edit", {
  summary = "Change the configs of many installations as one step that can be resumed and undone.",
  declare = function(command, shared)
    shared.which(command)
    command:option("--set", "path=text or path:=JSON, below `config`."):argname "<change>":count "*":default {}
    command:option("--unset", "A path below `config` that shall go."):argname "<path>":count "*":default {}
    command:option("--journal", "File to resume and undo from; needed unless --dry-run."):argname "<file>"
    command:flag("--dry-run", "Print what would change; send nothing."):target "dry_run"
    command:option("--canary", "Try so many first, or a share below 1."):argname "<n>":convert(shared.number "--canary")
    command:option("--parallel", "How many at once (4)."):argname "<n>":convert(shared.count "--parallel")
    command:flag("--irreversible", "Allow what cannot be undone.")
    command:flag("-y --yes", "Do not ask; needed where nobody can be asked.")
  end,
  examples = {
    "ampersand installations edit " .. WHERE_EXAMPLE .. " \\\n    --set content.proxy.enabled:=true --dry-run",
    "ampersand installations edit " .. WHERE_EXAMPLE .. " \\\n    --set content.proxy.enabled:=true --journal on.jsonl",
  },
  run = function(ctx)
    check_settings(ctx)
    require("ampersand.cli.edits").edit(ctx)
  end,
})

add("installations", "undo", {
  summary = "Put back what an edit changed, from its journal.",
  usage = "<journal> ",
  declare = function(command, shared)
    command:argument "journal":description "The file that --journal of the edit named."
    command:flag("--dry-run", "Print what would change; send nothing."):target "dry_run"
    command:option("--parallel", "How many at once (4)."):argname "<n>":convert(shared.count "--parallel")
    command:flag("-y --yes", "Do not ask; needed where nobody can be asked.")
  end,
  examples = { "ampersand installations undo on.jsonl" },
  run = function(ctx)
    check_settings(ctx)
    require("ampersand.cli.edits").undo(ctx)
  end,
})

add("operations", "wait", {
  summary = "Wait until an operation has succeeded; exit code 3 when it fails, 5 when it takes too long.",
  usage = "<operationId> ",
  declare = function(command, shared)
    command:argument "id":description "The operation."
    command:option("--interval", "Seconds between two looks (0.5, growing to 10)."):argname "<seconds>"
      :convert(shared.number "--interval")
    shared.formats(command)
  end,
  note = "It waits 600 seconds unless --timeout says otherwise.",
  examples = { "ampersand operations wait operation-123 --timeout 60" },
  run = function(ctx)
    ctx:require_setting "project"
    ctx:require_credentials { auth = "any" }
    require("ampersand.cli.watching").wait(ctx)
  end,
})

return extras
