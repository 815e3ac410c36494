-- Rotates a setting over a fleet: whatever is read into one destination shall go into another.
--
--     lua5.4 examples/fleet/rotate.lua rotate.jsonl            show what would change, send nothing
--     lua5.4 examples/fleet/rotate.lua rotate.jsonl apply      change it: a canary first, then the rest; resumes
--     lua5.4 examples/fleet/rotate.lua rotate.jsonl undo       put it back
--
-- The key, project and integration come from the environment: AMP_API_KEY, AMPERSAND_PROJECT_ID,
-- AMPERSAND_INTEGRATION_ID.

local ampersand = require "ampersand"

local FROM, TO = "kinesisStream", "warehouse"

local journal, command = arg[1], arg[2]
if not journal then
  io.stderr:write("usage: rotate.lua JOURNAL [apply|undo]\n")
  os.exit(2)
end

local client = ampersand.new()
local view = client.installations:where { ["connection.provider"] = { "hubspot", "pipedrive", "salesforce", "slack" } }

-- Changes a copy; what it leaves as it is, is never sent.
local function rotate(config)
  for _, object in pairs(config.content.read.objects) do
    if object.destination == FROM then object.destination = TO end
  end
end

io.stdout:setvbuf "line"
local function show(event)
  if event.outcome == "canary" then
    print(event.ok and "the canary is healthy" or "the canary is unhealthy: " .. event.why)
  else
    print(("%s %s%s"):format(event.outcome, event.id, event.why and ": " .. event.why or ""))
  end
end

local report, err
if command == "apply" then
  report, err = view:edit(rotate, {
    journal = journal, parallel = 2, canary = { share = 0.1, wait = 1 }, on_progress = show,
  })
elseif command == "undo" then
  report, err = view:undo(journal, { on_progress = show })
else
  report, err = view:edit(rotate, { dry_run = true })
end

client:close()
if not report then
  io.stderr:write(tostring(err), "\n")
  os.exit(1)
end
if not report.dry_run then print(report) end
local shortfall = report:shortfall()
if shortfall then io.stderr:write(shortfall, "\n") end
os.exit(shortfall and 1 or 0)
