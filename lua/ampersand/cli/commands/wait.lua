--- `operations wait`.

local exit = require "ampersand.cli.exit"
local help = require "ampersand.cli.help"
local selection = require "ampersand.cli.selection"
local show = require "ampersand.cli.show"
local terminal = require "ampersand.cli.terminal"

local wait = {
  usage = "<operationId> ",
  arguments = { { name = "id", description = "The operation." } },
  options = { { "--interval", "Seconds between two polls (0.5, growing to 10).", number = "seconds" }, "formats" },
  epilog = help.below { "Waits 600 seconds unless --timeout is given.",
    help.examples { "ampersand operations wait operation-123 --timeout 60" } },
}

local function progress_line(progress)
  local done = progress.share and math.floor(progress.share * 20)
  local bar = done and ("[%s%s] "):format(("="):rep(done), (" "):rep(20 - done)) or ""
  local total = progress.total and (" of %s"):format(terminal.grouped(progress.total)) or ""
  return ("%s%s%s records"):format(bar, terminal.grouped(progress.processed), total)
end

--- Waits for an operation and shows it.
---@param ctx ampersand.cli.Context
---@param started string|table its id, or the answer that started it
function wait.follow(ctx, started)
  local id = type(started) == "table" and started.operationId or started
  if type(id) ~= "string" then exit.with(exit.FAILURE, "there is no operation to wait for: the answer names none") end
  local operations, shown = ctx:client().operations, false
  local given = { timeout = ctx.args.timeout, interval = ctx.args.interval }
  if not ctx.args.quiet and terminal.is "stderr" then
    given.on_progress = function(progress)
      shown = true
      io.stderr:write("\r", progress_line(progress), "\27[K")
    end
  end
  local operation, err = exit.guard(operations.wait, operations, id, given)
  if shown then io.stderr:write "\r\27[K" end
  if operation then return show.value(ctx, operation, "Operation") end
  if err.failed_operation then exit.with(exit.CONDITION, tostring(err)) end
  exit.fail(err)
end

function wait.run(ctx)
  selection.check(ctx, "Operation")
  ctx:require_setting "project"
  ctx:require_credentials "any"
  wait.follow(ctx, ctx.args.id)
end

return wait
