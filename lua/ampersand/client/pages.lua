--- Lists that come in pages, {results, pagination}: from one page to the next.

local call = require "ampersand.client.call"

local pages = {}

-- The token of the page after this one, nil after the last. A server that repeats itself would loop us forever.
local function next_token(attempt)
  local pagination = type(attempt.envelope) == "table" and attempt.envelope.pagination
  local problem
  if type(pagination) ~= "table" then
    problem = "the page has no `pagination`"
  elseif pagination.done == true then
    return nil
  elseif type(pagination.nextPageToken) ~= "string" or pagination.nextPageToken == "" then
    problem = "more pages are announced, but `nextPageToken` is missing"
  elseif attempt.seen and attempt.seen[pagination.nextPageToken] then
    problem = "the server announced the same page twice"
  else
    attempt.seen = attempt.seen or {}
    attempt.seen[pagination.nextPageToken] = true
    return pagination.nextPageToken
  end
  return nil, call.error(attempt, "protocol", problem .. "; stopped rather than loop or lose pages", { sent = true })
end

--- Turns an attempt to the next page; false after the last one.
---@param attempt ampersand.Attempt
---@return boolean? more, ampersand.Error?
function pages.advance(attempt)
  local token, err = next_token(attempt)
  if err then return nil, err end
  if not token then return false end
  local query = { pageToken = token }
  for name, value in pairs(attempt.call.query) do
    if name ~= "pageToken" then query[name] = value end
  end
  attempt.query, attempt.tries, attempt.sent = query, 0, nil
  return true
end

return pages
