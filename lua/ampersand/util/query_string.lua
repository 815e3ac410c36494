--- Reading the parts of a URL that were percent-encoded; writing them is util.url's. Pure.

local query_string = {}

--- Undoes percent-encoding.
---@param text string
---@return string
function query_string.unescape(text)
  return (text:gsub("%%(%x%x)", function(hex) return string.char(tonumber(hex, 16)) end))
end

local unescape = query_string.unescape

--- Reads a query: "a=b+c&d" -> a = "b c", d = "". Of several parameters with one name the last one counts.
---@param text string what follows the "?"
---@param query table<string, string>? takes the parameters
---@return table<string, string> query
function query_string.read(text, query)
  query = query or {}
  for pair in text:gsub("%+", " "):gmatch "[^&]+" do
    local name, value = pair:match "^([^=]*)=?(.*)$"
    query[unescape(name)] = unescape(value)
  end
  return query
end

return query_string
