"""Which authority are we in? Routing, the register of schools, and the wall between authorities.

No people and no readable health data live here. Nothing here imports `handrail` or `workflows`.
"""
