--- A buffer of installations for Neovim, filled while they arrive. `K` explains the one under the cursor.
--
-- The key comes from AMP_API_KEY, the project from AMPERSAND_PROJECT_ID. Requests wait in Neovim's own event loop: the
-- editor stays responsive.

local ampersand = require "ampersand"

local view = {}

local HIGHLIGHTS = { healthy = "DiagnosticOk", unhealthy = "DiagnosticError" }
local FALLBACK = "DiagnosticWarn"
local BUDGET = 3e6 -- nanoseconds for which the editor is held at a time
local uv = vim.uv or vim.loop

local namespace = vim.api.nvim_create_namespace "ampersand"

if vim.fn.hlexists "DiagnosticOk" == 0 then -- it came with Neovim 0.9
  vim.api.nvim_set_hl(0, "DiagnosticOk", { link = "String", default = true })
end

-- A line of the buffer, without control characters: names come from the network.
local function line_of(installation)
  local function show(path) return (tostring(ampersand.get(installation, path) or "-"):gsub("%c", "?")) end
  return ("%-10s  %-14s  %-24s  %s"):format(show "healthStatus", show "connection.provider",
    ampersand.get(installation, "group.groupName") and show "group.groupName" or show "group.groupRef", show "id")
end

local function append(buffer, batch)
  if not vim.api.nvim_buf_is_loaded(buffer) then return false end
  local lines = {}
  for i, installation in ipairs(batch) do lines[i] = line_of(installation) end
  local first = vim.b[buffer].ampersand_count or 0
  vim.bo[buffer].modifiable = true
  vim.api.nvim_buf_set_lines(buffer, first, -1, false, lines)
  vim.bo[buffer].modifiable = false
  vim.b[buffer].ampersand_count = first + #lines
  for i, installation in ipairs(batch) do
    local health = tostring(installation.healthStatus)
    vim.api.nvim_buf_add_highlight(buffer, namespace, HIGHLIGHTS[health] or FALLBACK, first + i - 1, 0, 10)
  end
  return true
end

local function notify(message)
  vim.notify("ampersand: " .. tostring(message), vim.log.levels.ERROR)
end

-- Runs a coroutine, in which requests wait without holding up the editor.
local function run(co, ...)
  local ok, message = coroutine.resume(co, ...)
  if not ok then notify(message) end
end

local function start(f, ...) run(coroutine.create(f), ...) end

-- Lets keys and timers have their turn; a function that is only scheduled would run before them.
local function pause()
  local co = coroutine.running()
  vim.defer_fn(function() run(co) end, 0)
  coroutine.yield()
end

-- Fills the buffer; ends early when the buffer is closed.
local function fill(client, buffer, ids)
  pause() -- the empty buffer is shown before the first request loads libcurl
  local stream, err = client.installations:stream()
  if not stream then return notify(err) end
  local batch, stop = {}, uv.hrtime() + BUDGET
  repeat
    local installation, problem = stream:next()
    if installation then
      batch[#batch + 1] = installation
      ids[#ids + 1] = installation.id
    end
    if not installation or uv.hrtime() >= stop then
      if not append(buffer, batch) then return stream:close() end
      pause()
      batch, stop = {}, uv.hrtime() + BUDGET
    end
    if problem then notify(problem) end
  until not installation
  if vim.api.nvim_buf_is_loaded(buffer) then vim.b[buffer].ampersand_done = true end
end

local function explain(client, id)
  local explanation, err = client.installations:explain(id)
  if not explanation then return notify(err) end
  local lines = vim.split(tostring(explanation), "\n")
  vim.lsp.util.open_floating_preview(lines, "text", { border = "single", focus_id = "ampersand" })
end

--- Opens the buffer.
---@param options table? of ampersand.new, such as `integration`
---@return integer buffer
function view.open(options)
  local settings = { loop = require "ampersand.loop.luv" }
  for name, value in pairs(options or {}) do settings[name] = value end
  local client, ids = ampersand.new(settings), {}
  local buffer = vim.api.nvim_create_buf(true, true)
  vim.bo[buffer].modifiable, vim.bo[buffer].filetype = false, "ampersand"
  vim.api.nvim_set_current_buf(buffer)
  vim.keymap.set("n", "K", function()
    local id = ids[vim.api.nvim_win_get_cursor(0)[1]]
    if id then start(explain, client, id) end
  end, { buffer = buffer, desc = "Explain this installation" })
  vim.api.nvim_create_autocmd("BufWipeout", { buffer = buffer, once = true, callback = function() client:close() end })
  start(fill, client, buffer, ids)
  return buffer
end

return view
