-- Who installed the integration, and is it healthy? A table of all installations, the unhealthy ones last.
--
--     AMP_API_KEY=… lua5.4 examples/list_installations.lua my-project hubspot
--
-- Without arguments the project and the integration come from AMPERSAND_PROJECT_ID and AMPERSAND_INTEGRATION_ID.

local ampersand = require "ampersand"

local client = ampersand.new { project = arg[1], integration = arg[2] }

local COLUMNS = {
  { "INSTALLATION", "id" },
  { "GROUP", "group.groupName" },
  { "PROVIDER", "connection.provider" },
  { "CONNECTION", "connection.status" },
  { "HEALTH", "healthStatus" },
}

-- Columns of a terminal: a UTF-8 sequence is one, its continuation bytes are none.
local function width(text)
  return #text:gsub("[\128-\191]", "")
end

local rows, widths, health = {}, {}, {}
for i, column in ipairs(COLUMNS) do widths[i] = width(column[1]) end

local paths = {}
for i, column in ipairs(COLUMNS) do paths[i] = column[2] end
local stream = ampersand.assert(client.installations:select(paths):stream())
while true do
  local installation, err = stream:next()
  ampersand.assert(installation or not err, err)
  if not installation then break end
  local row = {}
  for i, column in ipairs(COLUMNS) do
    row[i] = tostring(ampersand.get(installation, column[2]) or "-"):gsub("%c", " ") -- names are other people's text
    widths[i] = math.max(widths[i], width(row[i]))
  end
  rows[#rows + 1] = row
  local status = installation.healthStatus or "unknown"
  health[status] = (health[status] or 0) + 1
end

local function print_row(row)
  local cells = {}
  for i, cell in ipairs(row) do cells[i] = cell .. (" "):rep(widths[i] - width(cell)) end
  print((table.concat(cells, "  "):gsub("%s+$", "")))
end

local header = {}
for i, column in ipairs(COLUMNS) do header[i] = column[1] end
print_row(header)
for _, row in ipairs(rows) do print_row(row) end

local summary = {}
for status, count in pairs(health) do summary[#summary + 1] = count .. " " .. status end
table.sort(summary)
if #rows == 0 then summary[1] = "no group has installed the integration yet" end
print(("\n%d installations: %s"):format(#rows, table.concat(summary, ", ")))
client:close()
