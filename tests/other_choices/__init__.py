"""Sound pools that choose otherwise than steadypool. They break no spec of level must or should."""
