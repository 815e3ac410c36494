--- Requests through libcurl that are begun now and waited for later: meanwhile the server can work on them.

local ahead = {}

--- Begins a request; see Curl:begin.
---@param curl ampersand.CurlTransport
---@param transfer userdata that has been started
---@param req table
---@param finish fun(curl: ampersand.CurlTransport, transfer: userdata, req: table): table?, ... waits for the answer
---@return fun(timeout: number): table?, ... wait, fun() abandon
function ahead.begin(curl, transfer, req, finish)
  local engine, waiters = curl.engine, curl.waiters
  local function abandon() transfer:close() end
  waiters:nudge()
  return function(timeout)
    if curl.closed or (req.cancel and req.cancel.cancelled) then
      abandon()
      return nil, "the request was cancelled", "cancelled", true
    end
    -- after a fork the other process waits for it
    if curl.engine ~= engine or not engine:usable() then return nil, "another process's request", "closed", false end
    transfer:deadline(timeout)
    return finish(curl, transfer, req)
  end, abandon
end

return ahead
