"""Context source registrations (§4.3.6, §5.9, §5.10): who else holds context information, and of what.

A registration is stored with expanded names. Which of them an operation goes to is decided in matching.py, pure; how it gets
there, in `ngsi_ld/distributing.py`.
"""
