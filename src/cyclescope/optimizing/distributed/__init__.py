"""Strategies that spread one model over several machines or devices: tensor, pipeline, sequence and expert parallelism.

They come with measurements over more than one device. What a plan says about them, how messages between devices are
booked in a cycle, and how a trial starts on several machines are decided there; `Family.DISTRIBUTED` is theirs.
"""
