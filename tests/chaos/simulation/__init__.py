"""The engine's own decisions under a virtual clock: one seed is one history of workers, people, faults and a cloud.

What is real: `decisions.advance`, the steps of `app.stacks`, the CloudFormation client and its errors. What stands in:
the database (`world`), the cloud (`tests.chaos.model`), time, and everything a worker can meet (`scheduler`).
"""
