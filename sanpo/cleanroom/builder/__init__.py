"""The builder: the question's third face, a form beside SQL and JSON. Pure; `pages_builder` is its door.

`sheet` is the form as filled in, `building` makes a question of it and says what is missing, `opening` fills it in from
a question, `choices` lists what each control offers and why some of it cannot be had.
"""
