"""How receivers are reached: which addresses may be, who we are to them, and what they answer."""
