-- Reads an object of one customer and waits for it, with a progress bar.
--
--     lua5.4 examples/fleet/backfill.lua contact group-0000002

local ampersand = require "ampersand"

local object, group = arg[1], arg[2]
if not group then
  io.stderr:write("usage: backfill.lua OBJECT GROUP_REF\n")
  os.exit(2)
end

local WIDTH = 40

-- One line that is redrawn in place; without a total from the provider, the count alone.
local function bar(progress)
  local line = ("%d records"):format(progress.processed)
  if progress.share then
    local filled = math.floor(progress.share * WIDTH)
    line = ("[%s%s] %3.0f%% of %d"):format(("#"):rep(filled), (" "):rep(WIDTH - filled), progress.share * 100,
      progress.total)
  end
  io.write("\r", progress.object or object, " ", line)
  io.flush()
end

local client = ampersand.new()
local started, err = client.installations:read(object, { groupRef = group, mode = "async" })
local operation
if started then operation, err = started:wait { timeout = 3600, on_progress = bar } end
print()
client:close()

if not operation then
  io.stderr:write(tostring(err), "\n")
  for _, log in ipairs(err.logs or {}) do io.stderr:write("  ", tostring(ampersand.get(log, "message.msg")), "\n") end
  os.exit(1)
end
print(ampersand.get(operation, "result") or "done")
