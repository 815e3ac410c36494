--- Whether something was raised because of Ctrl-C: the interpreter's message, or the error of a module that was being
--- loaded. LuaJIT raises it in coroutines, too.
---@param raised any
---@return boolean
return function(raised)
  return type(raised) == "string" and raised:find "interrupted!" ~= nil
end
