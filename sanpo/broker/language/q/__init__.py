"""The query language `q`: text to tree and back, decided in Python (`matches_q`) or in PostgreSQL (`compile_q`)."""
